/**
 * How emails compare: without case, and in NFC (RFC 6532, section 3.1). The local part is case-sensitive by RFC 5321,
 * and nowhere else.
 */
export const emailKey = (email: string): string => email.trim().toLowerCase().normalize('NFC');
