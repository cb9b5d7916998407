"""The command line, called in this process."""

import pytest

from sr_ops import cli


@pytest.fixture
def run(capsys):
    """``run(*arguments)`` gives (exit code, standard output, standard error)."""

    def call(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call
