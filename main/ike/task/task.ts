// Every request that an IKE SA with keys can have in flight.
import type { AuthenticationFailedTask } from './authentication-failed.ts';
import type { DeleteIkeTask } from './delete.ts';
import type { IkeAuthTask } from './ike-auth.ts';
import type { LivenessTask } from './liveness.ts';

export type Task = IkeAuthTask | LivenessTask | DeleteIkeTask | AuthenticationFailedTask;
