/* of M2libc */
