"""What happens when nobody is looking. Each duty is `xxx_once() -> counts`; `keeper.py` is the one loop."""
