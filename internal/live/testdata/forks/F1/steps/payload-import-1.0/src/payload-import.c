int read_u32(void);
