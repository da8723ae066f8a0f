/**
 * Records that each page but the last lists. Part of the format: the same records must give the same pages, and a
 * record's page follows from its position. A link takes 41 bytes, so a page is 336 KB at most, well within a block,
 * and the root's own block has room for 200 million records.
 */
export const PAGE_RECORDS = 8_192;
