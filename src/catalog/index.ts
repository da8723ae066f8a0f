import type { Tool } from '../tools/define-tool.ts';
import { auditLog } from './audit/audit-log.ts';
import { verifyAuditLog } from './audit/verify-audit-log.ts';
import { deleteDataset } from './data/delete-dataset.ts';
import { getDataset } from './data/get-dataset.ts';
import { getRecord } from './data/get-record.ts';
import { keepDataset } from './data/keep-dataset.ts';
import { listDatasets } from './data/list-datasets.ts';
import { appointOwner } from './mesh/appoint-owner.ts';
import { blockDevice } from './mesh/block-device.ts';
import { changeRoomSecret } from './mesh/change-room-secret.ts';
import { connectionDoctor } from './mesh/connection-doctor.ts';
import { echo } from './mesh/echo.ts';
import { explainRoute } from './mesh/explain-route.ts';
import { listMembers } from './mesh/list-members.ts';
import { listPeers } from './mesh/list-peers.ts';
import { resetRoutes } from './mesh/reset-routes.ts';
import { toolMetrics } from './mesh/tool-metrics.ts';
import { unblockDevice } from './mesh/unblock-device.ts';
import { bootstrapNetwork } from './peers/bootstrap-network.ts';
import { peerConnect } from './peers/peer-connect.ts';
import { peerDisconnect } from './peers/peer-disconnect.ts';
import { peerDiscover } from './peers/peer-discover.ts';
import { peerList } from './peers/peer-list.ts';
import { peerMetrics } from './peers/peer-metrics.ts';
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
  keepDataset,
  deleteDataset,
  listPeers,
  listMembers,
  connectionDoctor,
  explainRoute,
  toolMetrics,
  resetRoutes,
  changeRoomSecret,
  blockDevice,
  unblockDevice,
  appointOwner,
  peerDiscover,
  peerConnect,
  peerDisconnect,
  peerList,
  peerMetrics,
  bootstrapNetwork,
  auditLog,
  verifyAuditLog,
  echo,
];
