# improves: get_network
