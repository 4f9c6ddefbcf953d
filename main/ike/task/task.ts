// Every request that an IKE SA with keys can have in flight.
import type { AuthenticationFailedTask } from './authentication-failed.ts';
import type { CreateChildTask } from './create-child.ts';
import type { DeleteChildTask, DeleteIkeTask } from './delete.ts';
import type { FollowUpTask } from './follow-up.ts';
import type { IkeAuthTask } from './ike-auth.ts';
import type { IkeIntermediateTask } from './ike-intermediate.ts';
import type { InformTask } from './inform.ts';
import type { LivenessTask } from './liveness.ts';
import type { PathTask } from './path.ts';
import type { RekeyIkeTask } from './rekey-ike.ts';

export type Task =
  | IkeIntermediateTask
  | IkeAuthTask
  | LivenessTask
  | InformTask
  | PathTask
  | DeleteIkeTask
  | DeleteChildTask
  | CreateChildTask
  | RekeyIkeTask
  | FollowUpTask
  | AuthenticationFailedTask;
