"""``python -m maestro_flow``: the command line."""

from maestro_flow.cli.main import main

if __name__ == "__main__":
    main()
