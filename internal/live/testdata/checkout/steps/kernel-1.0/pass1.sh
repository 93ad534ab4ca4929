# builds kernel-1.0
