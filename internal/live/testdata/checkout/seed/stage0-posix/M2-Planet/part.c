/* of M2-Planet */
