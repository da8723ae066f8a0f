import { describe, expect, it } from 'vitest';
import { findWholeDatasets } from '../../../src/data/salvage.ts';
import { writeDataset } from '../../../src/data/write.ts';
import { blockCids, createBlockStore } from '../../../src/mesh/storage/blocks.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
