# improves: swap
