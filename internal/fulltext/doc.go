// Package fulltext finds spans by what is in their texts. It reads the store's queue, keeps hashed n-grams of each block
// of text as a filter, and searches the text of the blocks that pass, the newest first. No word breaks are needed.
package fulltext
