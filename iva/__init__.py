"""IVA, the project: settings, doors and the ground floor."""
