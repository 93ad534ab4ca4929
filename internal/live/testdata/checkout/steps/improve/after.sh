# improves: after
