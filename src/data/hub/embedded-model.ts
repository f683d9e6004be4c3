/**
 * The model that comes with this package, in its folder `models/mini`: what a run takes that names none. No model on
 * the Hub can have this name, as it lacks an owner.
 */
export const EMBEDDED_MODEL = 'adalora-mini';
