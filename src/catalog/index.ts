import type { Tool } from '../tools/define-tool.ts';
import { getDataset } from './data/get-dataset.ts';
import { getRecord } from './data/get-record.ts';
import { listDatasets } from './data/list-datasets.ts';
import { echo } from './mesh/echo.ts';
import { listPeers } from './mesh/list-peers.ts';
import { collectLiterature } from './research/collect-literature.ts';
import { relatedRecords } from './search/related-records.ts';
import { searchIndex } from './search/search-index.ts';
import { searchShard } from './search/search-shard.ts';

/** Every tool of the product, for a peer's registry. */
export const catalog: readonly Tool[] = [
  collectLiterature,
  searchIndex,
  searchShard,
  relatedRecords,
  listDatasets,
  getDataset,
  getRecord,
  listPeers,
  echo,
];
