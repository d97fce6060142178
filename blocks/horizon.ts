import type { Plan, PlanStep } from '../src/plans/plan.ts';
import type { Json } from '../src/shared/json.ts';
import { code, plain } from './escape.ts';
import { sayEstimate, sayUndo } from './say.ts';

/** How far each title may go where many are named in one line. */
const titleLength = 80;
const mostTitles = 4;
const mostChecks = 6;

/** What a plan means as a whole: versions, flag, how long, until where and when undo works, which votes come later. */
export function planFacts(plan: Plan): string[] {
  const steps = plan.stages.flatMap((stage) => stage.steps);
  const { estimate } = plan;
  const facts = [
    ...aboutFacts(plan),
    ...(plan.canary === null ? [] : [`canary ${code(plan.canary, 80)} only`]),
    ...(estimate ? [sayEstimate(estimate)] : []),
  ];
  const own = steps.filter((step) => step.ownApproval);
  return [
    ...(facts.length === 0 ? [] : [facts.join(' · ')]),
    ...horizonLines(plan, steps),
    ...checkLines(plan, steps),
    ...(own.length === 0 ? [] : [`✋ Stops for a vote of its own before ${titles(own)}`]),
  ];
}

function aboutFacts({ about }: Plan): string[] {
  if (about === undefined) return [];
  return [
    `data model ${code(about.from, 40)} → ${code(about.to, 40)}`,
    ...(about.flag === null ? [] : [`flag ${code(about.flag, 60)}`]),
    ...(about.contact === '' ? [] : [`contact ${plain(about.contact, 60)}`]),
  ];
}

/** Checks that will tell whether it went well; a validation is nothing else. */
function checkLines({ action }: Plan, steps: readonly PlanStep[]): string[] {
  if (action === 'validate') return [];
  const names = [...new Set(steps.flatMap(({ use, input }) => (use === 'checks.run' ? checksIn(input) : [])))];
  if (names.length === 0) return [];
  const left = names.length - mostChecks;
  const named = names.slice(0, mostChecks).map((name) => code(name, 60));
  const count = `${names.length} ${names.length === 1 ? 'check' : 'checks'}`;
  return [`✓ Then ${count}: ${named.join(', ')}${left > 0 ? ` and ${left} more` : ''}`];
}

function checksIn(input: Json): readonly string[] {
  const checks = typeof input === 'object' && input !== null && 'checks' in input ? input.checks : [];
  return Array.isArray(checks) ? checks.filter((name) => typeof name === 'string') : [];
}

/** The point after which undo becomes restore, and what can be undone for a time only. */
function horizonLines(plan: Plan, steps: readonly PlanStep[]): string[] {
  const changing = steps.filter((step) => step.effect !== 'reads' && step.mode === 'perform');
  const turn = changing.find((step) => step.undoClass === 'one-way');
  const limited = changing.filter((step) => step.undoClass === 'reversible-until');
  const restore = 'there is no undo then, only a restore';
  return [
    ...(turn === undefined ? [] : [`⚠ Undo works until _${plain(turn.title, titleLength)}_ begins: ${restore}`]),
    ...(limited.length === 0
      ? []
      : [
          `⏳ ${sayUndo('reversible-until', plan.holdDays)} after the run's end: ${titles(limited)} (kept aside until released)`,
        ]),
  ];
}

function titles(steps: readonly PlanStep[]): string {
  const named = steps.slice(0, mostTitles).map((step) => `_${plain(step.title, titleLength)}_`);
  const left = steps.length - named.length;
  return `${named.join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
}
