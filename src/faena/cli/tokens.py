"""`faena tokens …`: what programs sign in to the API with."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from faena.cli.plain import Plain, Refusal, ago, console, person, print_json, table

if TYPE_CHECKING:
    from faena.models import ApiToken

ROLES = ("viewer", "operator", "admin")

as_json = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group()
def tokens() -> None:
    """What programs sign in to the API with."""


@tokens.command(cls=Plain)
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True, help="What it may do.")
@click.option("--days", default=90, show_default=True, type=click.IntRange(0, 3650), help="Good for; 0: no end.")
@as_json
def create(name: str, role: str, days: int, as_json: bool) -> None:
    """Make a token and print it, this once: only its hash is kept."""
    from faena.ledger.records import Actor
    from faena.ledger.tokens import create
    from faena.permissions import Role

    token, text = create(name, Role(role), Actor(person()), timedelta(days=days) if days else None)
    if as_json:
        print_json(_facts(token) | {"token": text})
        return
    until = f"until {token.expires:%Y-%m-%d}" if token.expires else "until it is revoked"
    click.echo(f"{name} may do what a {role} may, {until}. It is not shown again:", err=True)
    click.echo(text)


@tokens.command("list", cls=Plain)
@as_json
def list_tokens(as_json: bool) -> None:
    """Every token, without its text."""
    from faena.ledger.tokens import all_tokens

    found = all_tokens()
    if as_json:
        print_json([_facts(each) for each in found])
        return
    if not found:
        click.echo("There is no token. Make one: faena tokens create NAME --role operator", err=True)
        return
    rows = table("NAME", "ROLE", "CREATED", "BY", "LAST USED", "EXPIRES")
    for each in found:
        end = f"revoked {ago(each.revoked)} ago" if each.revoked else each.expires and f"{each.expires:%Y-%m-%d}"
        rows.add_row(
            escape(each.name), each.role, ago(each.created), escape(each.created_by), ago(each.used), end or "never"
        )
    console().print(rows)


@tokens.command(cls=Plain)
@click.argument("name")
@as_json
def revoke(name: str, as_json: bool) -> None:
    """Let nobody sign in with it any more."""
    from faena.ledger.records import Actor
    from faena.ledger.tokens import all_tokens, revoke

    found = next((each for each in all_tokens() if each.name == name and not each.revoked), None)
    if found is None or not revoke(found.pk, Actor(person())):
        raise Refusal(f"No token named {name!r} is in force; `faena tokens list` shows them.")
    print_json({"revoked": name}) if as_json else click.echo(f"{name} is revoked.")


def _facts(token: ApiToken) -> dict:
    names = ("name", "role", "created", "created_by", "used", "expires", "revoked")
    return {name: getattr(token, name) for name in names}
