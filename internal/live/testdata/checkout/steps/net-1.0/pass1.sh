# builds net-1.0
