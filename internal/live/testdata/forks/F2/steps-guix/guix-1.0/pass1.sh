# builds guix
