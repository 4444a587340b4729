// Package fulltext finds spans by what is in their texts. It reads the store's queue, keeps hashed n-grams of each block
// of text and hashed seams between words of each cell of a block as filters, and searches the text of what passes, the
// newest first. No word breaks are needed.
package fulltext
