/* reads numbers as u64 */
