/* of M2-Mesoplanet */
