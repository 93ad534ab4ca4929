# improves: import_payload
