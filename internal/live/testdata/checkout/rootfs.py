# Only its name counts here, and that it knows no extra builds.
