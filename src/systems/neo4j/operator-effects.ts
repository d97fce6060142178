import type { Effect } from '../system.ts';

const READING = `AllNodesScan AntiConditionalApply AntiSemiApply Apply Argument ArgumentTracker AssertSameNode
  AssertSameRelationship AssertingMultiNodeIndexSeek AssertingMultiRelationshipIndexSeek BidirectionalRepeat CacheProperties CartesianProduct ConditionalApply DirectedAllRelationshipsScan
  DirectedRelationshipByElementIdSeek DirectedRelationshipByIdSeek DirectedRelationshipIndexContainsScan
  DirectedRelationshipIndexEndsWithScan DirectedRelationshipIndexScan DirectedRelationshipIndexSeek
  DirectedRelationshipIndexSeekByRange DirectedRelationshipTypeScan DirectedUnionRelationshipTypesScan Distinct Eager
  EagerAggregation EmptyResult EmptyRow ErrorPlan ExhaustiveLimit Expand Filter IntersectionNodeByLabelsScan
  LeftOuterHashJoin LetAntiSemiApply LetSelectOrAntiSemiApply LetSelectOrSemiApply LetSemiApply Limit MultiNodeIndexSeek
  NodeByElementIdSeek NodeByIdSeek NodeByLabelScan NodeCountFromCountStore NodeHashJoin NodeIndexContainsScan
  NodeIndexEndsWithScan NodeIndexScan NodeIndexSeek NodeIndexSeekByRange NodeUniqueIndexSeek NodeUniqueIndexSeekByRange
  NonFuseable Optional OptionalExpand OrderedAggregation OrderedDistinct OrderedUnion PartialSort PartialTop
  PartitionedAllNodesScan PartitionedNodeByLabelScan PartitionedNodeIndexScan PartitionedNodeIndexSeek
  PartitionedUnwind ProcedureCall ProduceResults ProjectEndpoints Projection RelationshipCountFromCountStore Repeat
  RightOuterHashJoin RollUpApply SelectOrAntiSemiApply SelectOrSemiApply SemiApply ShortestPath Skip Sort
  StatefulShortestPath SubqueryForeach SubtractionNodeByLabelsScan Top Top1WithTies TriadicBuild TriadicFilter
  TriadicSelection UndirectedAllRelationshipsScan UndirectedRelationshipByElementIdSeek UndirectedRelationshipByIdSeek
  UndirectedRelationshipIndexContainsScan UndirectedRelationshipIndexEndsWithScan UndirectedRelationshipIndexScan
  UndirectedRelationshipIndexSeek UndirectedRelationshipIndexSeekByRange UndirectedRelationshipTypeScan
  UndirectedUnionRelationshipTypesScan Union UnionNodeByLabelsScan Unwind ValueHashJoin VarLengthExpand BFSPruningVarExpand`;
const ADDING = 'Create CreateNode CreateNodes CreateRelationship CreateRelationships LockingMerge Merge MergeInto';
const CHANGING = `SetLabels SetNodeProperties SetNodePropertiesFromMap SetNodeProperty SetProperties SetPropertiesFromMap
  SetProperty SetRelationshipProperties SetRelationshipPropertiesFromMap SetRelationshipProperty SetDynamicProperty`;
const DESTROYING = `Delete DeleteExpression DeleteNode DeletePath DeleteRelationship DetachDelete DetachDeleteExpression
  DetachDeleteNode DetachDeletePath RemoveLabels`;

/** Each operator of a plan that is known, and what it does. Closed: what is not here is not known. */
const EFFECTS: ReadonlyMap<string, Effect> = new Map(
  (
    [
      ['reads', READING],
      ['adds', ADDING],
      ['changes', CHANGING],
      ['destroys', DESTROYING],
    ] as const
  ).flatMap(([effect, names]) => names.split(/\s+/).map((name) => [name, effect] as const)),
);

const RANK: readonly Effect[] = ['reads', 'adds', 'changes', 'destroys'];

export function strongerEffect(a: Effect, b: Effect): Effect {
  return RANK.indexOf(a) >= RANK.indexOf(b) ? a : b;
}

/** What an operator does; undefined = not known. `words` = the statement's words in capitals, for what a plan hides. */
export function effectOf(operator: string, details: string, words: ReadonlySet<string>): Effect | undefined {
  const name = operator.replace(/\(.*$/, '');
  if ((name === 'Merge' || name === 'LockingMerge') && details.includes('ON MATCH')) return 'changes';
  if (name !== 'Foreach') return EFFECTS.get(name);
  // It may hold its writes within itself.
  if (words.has('DELETE') || words.has('REMOVE')) return 'destroys';
  return words.has('SET') ? 'changes' : 'adds';
}

/** Yields nodes whatever their labels, the bot's own among them. */
export function readsAnyNode(operator: string): boolean {
  return /^(Partitioned)?AllNodesScan|^NodeBy(Element)?IdSeek|^DynamicLabel/.test(operator);
}
