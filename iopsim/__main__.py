"""`python -m iopsim` is `iopsim`."""

from iopsim.cli import main

if __name__ == "__main__":
    main()
