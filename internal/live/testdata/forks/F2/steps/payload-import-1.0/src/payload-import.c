int read_u64(void);
