import type { SandboxState } from '../state.ts';

/** Who may do everything, over the listener that asks for a password. */
export const kafkaAdmin = 'admin';
/** Who may log in there and has no rights until somebody gives him some. */
export const kafkaGuest = 'guest';

/**
 * One process that is broker and controller. Two listeners on the loopback interface: one that asks for nothing, for
 * everybody on this machine, and one with SASL and the server's own rules of access.
 */
export function kafkaConf(data: string, { ports, passwords }: SandboxState): string {
  const [open, secured, controller] = [ports.kafka, ports['kafka.secured'], ports['kafka.controller']];
  const users = [kafkaAdmin, kafkaGuest].map((user) => `user_${user}="${passwords.kafka}"`).join(' ');
  return `${[
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controller}`,
    `listeners=OPEN://127.0.0.1:${open},SECURED://127.0.0.1:${secured},CONTROLLER://127.0.0.1:${controller}`,
    `advertised.listeners=OPEN://127.0.0.1:${open},SECURED://127.0.0.1:${secured}`,
    'listener.security.protocol.map=OPEN:PLAINTEXT,SECURED:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names=CONTROLLER',
    'inter.broker.listener.name=OPEN',
    'sasl.enabled.mechanisms=PLAIN',
    `listener.name.secured.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required ${users};`,
    'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    `super.users=User:ANONYMOUS;User:${kafkaAdmin}`,
    `log.dirs=${data}`,
    'num.partitions=1',
    'num.network.threads=2',
    'num.io.threads=2',
    'background.threads=2',
    'log.cleaner.dedupe.buffer.size=8388608',
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=1',
    'transaction.state.log.num.partitions=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
  ].join('\n')}\n`;
}
