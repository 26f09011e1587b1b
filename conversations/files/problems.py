"""What is wrong with a file, in words that a person can act on."""


class FileProblem(Exception):
    """A file that cannot be taken or made; `message` is one or two sentences to show."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unfit(Exception):
    """The same where the name of the file is not known: how its sentence goes on, such as “is empty.”"""
