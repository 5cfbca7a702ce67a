/**
 * When the pod template of a service changes, and what is different in the new pods.
 */
import * as z from 'zod';
import { distribution, duration, flag, text } from './leaves.js';

export const rollout = z
  .strictObject({
    at: duration('When, from the start of the measured part.'),
    service: text('Service whose pods are replaced.'),
    imagePull: distribution('Time to pull the new image. Default: as the service says.').optional(),
    ready: distribution('Start of the new pods until they answer. Default: as the service says.').optional(),
    neverReady: flag('A bad release: its pods start and never become ready.').prefault(false),
  })
  .meta({ description: 'A change of the pod template: its pods are replaced as the strategy of the service says.' });
