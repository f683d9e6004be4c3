/**
 * Tells the engine to gather and send nothing: since 1.30 it otherwise keeps an id of the machine and events in the user's
 * cache on Linux and macOS, and sends them to Microsoft. Its library reads the process's own environment, which a worker
 * cannot change: whoever starts one that computes calls this first. A value that somebody has set stays.
 */
export function disableTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
}
