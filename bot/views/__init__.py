"""Results as text, entities and keyboards: the only place where words meet the user."""

from bot.views.answers import AnswerViews
from bot.views.conversation import INTERFACE_LANGUAGES, ConversationViews
from bot.views.glossary import GlossaryViews

__all__ = ["INTERFACE_LANGUAGES", "Views"]


class Views(ConversationViews, AnswerViews, GlossaryViews):
    """Everything that the assistant says."""
