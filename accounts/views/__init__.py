"""The pages of people: signing in and up, one's own profile, an organization's members and settings."""
