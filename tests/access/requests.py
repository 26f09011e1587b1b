"""Where messages are sent to: to begin a conversation, and in one."""

from tests.access.world import World

START = "/conversations/"


def send_to(world: World) -> str:
    return f"/conversations/{world.belongings.conversation.pk}/messages/"
