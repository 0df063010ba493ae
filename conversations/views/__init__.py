"""The pages people live in all day: the inbox, a conversation, the End User's card, labels."""
