import type { StepKind } from '../../system.ts';
import type { KindSetting } from '../part.ts';
import type { Right } from '../rights.ts';
import { applyManifestKind } from './apply-manifest.ts';
import { awaitRolloutKind } from './await-rollout.ts';
import { checkEventsKind } from './check-events.ts';
import { checkLogsKind } from './check-logs.ts';
import { runJobKind } from './run-job.ts';
import { setFlagKind } from './set-flag.ts';
import { setImageKind } from './set-image.ts';
import { setMaintenanceKind } from './set-maintenance.ts';
import { startServicesKind } from './start-services.ts';
import { stopServicesKind } from './stop-services.ts';

/** A step kind with what the bot must be allowed to do for it, its undo included; a preflight asks the server. */
export interface ClusterKind {
  readonly kind: StepKind;
  readonly rights: readonly Right[];
}

/** Every kind of this system: one line each. */
export const kindMakers: readonly ((setting: KindSetting) => ClusterKind)[] = [
  stopServicesKind,
  startServicesKind,
  setImageKind,
  applyManifestKind,
  awaitRolloutKind,
  setMaintenanceKind,
  setFlagKind,
  runJobKind,
  checkLogsKind,
  checkEventsKind,
];
