/** They take precedence over the configuration file. One that is blank is not set. */
const variable = (name: string): string | undefined => process.env[name]?.trim() || undefined;

export const urlFromEnvironment = (): string | undefined => variable('VOIDRUNNER_URL');
export const keyFromEnvironment = (): string | undefined => variable('VOIDRUNNER_API_KEY');
