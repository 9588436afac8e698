"""A stand-in for PanAccess: answers as the real service does, over as many made records as asked for.

python -m faena_sandbox.panaccess --rows 655229 --latency-ms 50
"""
