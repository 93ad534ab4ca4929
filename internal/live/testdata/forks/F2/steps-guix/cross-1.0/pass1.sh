# builds cross
