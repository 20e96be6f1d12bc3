// SPDX-License-Identifier: Apache-2.0
// Storage on HDFS through WebHDFS, the name node's and data nodes' HTTP interface.
//
// Format of requests and answers: Hadoop 3, "WebHDFS REST API". One connection to each
// server is kept and used again, but never for a write or a publish: libcurl repeats by
// itself what it sent into a connection that the server had closed, and such a repeat
// would hide the first one's effect.
//
// Promises exclusive (RENAME with renameoptions=NONE) and durable. Durable means: on as
// many data nodes as the replication says; that they too survive a power cut all at once
// takes dfs.datanode.synconclose = true there.
//
// A small write takes 0.4 s, or 0.03 s where the data nodes' hdfs-site.xml has
// dfs.client.block.write.locateFollowingBlock.initial.delay.ms = 10 (seen on 3.4.2): a
// data node waits so long when the name node has not heard of the last block yet.
#ifndef STORAGE_WEBHDFS_H
#define STORAGE_WEBHDFS_H

#include "core/storage.h"
#include "storage/scheme.h"

extern const struct storage_scheme storage_hdfs_scheme;
extern const struct storage_scheme storage_hdfss_scheme; // over TLS

#endif
