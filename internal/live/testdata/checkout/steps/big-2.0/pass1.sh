# builds big-2.0
