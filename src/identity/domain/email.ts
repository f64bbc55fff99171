/**
 * The form in which emails are compared: lower case and NFC (RFC 6532, section 3.1). RFC 5321 makes the local part
 * case-sensitive, but in practice it is not.
 */
export const emailKey = (email: string): string => email.trim().toLowerCase().normalize('NFC');
