# builds cc-0.1
