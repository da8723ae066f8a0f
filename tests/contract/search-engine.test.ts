import { createShardSearch } from '../../src/search/shard.ts';
import { searchEngineContract } from './search-engine.ts';

searchEngineContract('BM25 by minisearch, hashed vectors', createShardSearch);
