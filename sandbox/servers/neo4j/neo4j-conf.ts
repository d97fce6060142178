/** The server's settings: loopback only, no telemetry, a quick end, little disk. */
export function neo4jConf(port: number): string {
  return `${[
    'server.default_listen_address=127.0.0.1',
    `server.bolt.listen_address=127.0.0.1:${port}`,
    `server.bolt.advertised_address=127.0.0.1:${port}`,
    'server.http.enabled=false',
    'server.https.enabled=false',
    // Without it APOC takes the home folder for its files.
    'server.directories.import=import',
    'dbms.security.auth_enabled=true',
    // The platform's services knock before the first password is set: that must lock nobody out.
    'dbms.security.auth_max_failed_attempts=0',
    'dbms.security.procedures.unrestricted=apoc.*',
    'dbms.security.procedures.allowlist=apoc.*',
    'dbms.usage_report.enabled=false',
    'server.memory.pagecache.size=256m',
    'db.tx_log.rotation.retention_policy=keep_none',
    'db.tx_log.preallocate=false',
    'db.shutdown_transaction_end_timeout=0s',
    'internal.server.bolt.thread_pool_shutdown_wait_time=0s',
  ].join('\n')}\n`;
}

export const apocConf = `${[
  'apoc.export.file.enabled=true',
  'apoc.import.file.enabled=true',
  'apoc.import.file.use_neo4j_config=true',
  'apoc.trigger.enabled=true',
  'apoc.trigger.refresh=2000',
].join('\n')}\n`;
