import type { JsonObject } from '../../../shared/json.ts';
import type { Effect } from '../../system.ts';
import { itemsOf, unwrap } from './syntax.ts';

const changing =
  `AddColumn AddConstraint AddIndex AddIdentity AddInherit AddOf AlterConstraint AttachPartition ColumnDefault
  CookedColumnDefault DropExpression DropIdentity DropInherit DropNotNull DropOf SetCompression SetExpression SetIdentity
  SetNotNull SetOptions SetRelOptions ReplaceRelOptions ResetOptions ResetRelOptions SetStatistics SetStorage
  SetTableSpace SetLogged SetAccessMethod ValidateConstraint ClusterOn DropCluster ReplicaIdentity DetachPartition
  DetachPartitionFinalize EnableTrig EnableTrigAll EnableTrigUser EnableRule`.split(/\s+/);
const destroying = ['DropColumn', 'DropConstraint', 'AlterColumnType'];

/** What each part of ALTER TABLE does; what is in neither list (triggers off, owners, policies) cannot be told. */
const effects: ReadonlyMap<string, Effect> = new Map([
  ...changing.map((name) => [`AT_${name}`, 'changes'] as const),
  ...destroying.map((name) => [`AT_${name}`, 'destroys'] as const),
]);

/** One part of an ALTER TABLE. */
export interface AlterPart {
  /** `AT_AddColumn` and its like. */
  readonly does: string;
  /** The column or constraint that it is about; empty where it is about none or names it in its definition. */
  readonly name: string;
  readonly definition: { readonly kind: string; readonly node: JsonObject } | null;
  readonly cascades: boolean;
}

export function alterParts(node: JsonObject): AlterPart[] {
  return itemsOf(node.cmds).flatMap((item) => {
    const command = unwrap(item);
    if (command?.kind !== 'AlterTableCmd') return [];
    const { subtype, name, def, behavior } = command.node;
    return {
      does: String(subtype),
      name: typeof name === 'string' ? name : '',
      definition: unwrap(def),
      cascades: behavior === 'DROP_CASCADE',
    };
  });
}

export function alterEffect(node: JsonObject): { effect: Effect; opaque: string | null } {
  const parts = alterParts(node);
  const odd = parts.find(({ does }) => !effects.has(does));
  if (odd || parts.length === 0) {
    const what = (odd?.does ?? 'ALTER').replace(/^AT_/, '');
    return { effect: 'destroys', opaque: `what stood before ${what} is not written down` };
  }
  const destroys = parts.some(({ does }) => effects.get(does) === 'destroys');
  return { effect: destroys ? 'destroys' : 'changes', opaque: null };
}
