# builds bash-0.2
