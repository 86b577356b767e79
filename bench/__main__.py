"""``python -m bench``."""

from bench.package_names import come_first

if __name__ == "__main__":
    come_first()

    from bench.cli.main import main

    main()
