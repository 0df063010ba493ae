"""The endpoint that keeps a message, written as one writes it first: what our door is measured against."""
