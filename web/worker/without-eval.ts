import { z } from 'zod';

/*
 * Imported before every schema: zod would otherwise generate code at run time, which the page's content security
 * policy forbids.
 */
z.config({ jitless: true });
