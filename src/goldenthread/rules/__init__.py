"""Pure facts about markets and fills, shared by every engine."""
