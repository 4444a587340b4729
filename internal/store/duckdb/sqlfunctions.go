package duckdb

import "strings"

// What statements of users may call. It is a list of what is allowed rather than of what is not, since every release of
// the engine brings new functions. Left out are those that read files, settings and catalogs, that run text as SQL, and
// those by which a short statement makes huge values, which the engine's memory limit does not see: repeat, lpad, range
// as a value, list_transform.
var (
	sqlFunctions = words(`
		+ - * / // % ** ^ & | << >> ! ~ @ = ~~ !~~ ~~* !~~* ~~~ ^@ @> <@ && -> ->> ||
		abs acos acosh add age asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot degrees divide even exp factorial fdiv floor fmod
		gamma gcd greatest greatest_common_divisor isfinite isinf isnan lcm least least_common_multiple lgamma ln log log10 log2 mod multiply
		nextafter nullif pi pow power radians random round round_even roundbankers sign signbit sin sinh sqrt subtract tan tanh trunc xor
		ascii bit_length char_length character_length chr concat concat_ws contains damerau_levenshtein editdist3 ends_with format_bytes
		formatreadabledecimalsize formatreadablesize hamming hash instr jaccard jaro_similarity jaro_winkler_similarity lcase left left_grapheme
		length length_grapheme len levenshtein lower ltrim md5 mismatches nfc_normalize octet_length ord position prefix regexp_extract
		regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array replace reverse right right_grapheme rtrim sha1
		sha256 split split_part starts_with str_split str_split_regex string_split string_split_regex string_to_array strip_accents strlen
		strpos substr substring substring_grapheme suffix translate trim ucase unicode upper url_decode url_encode like_escape ilike_escape
		not_like_escape not_ilike_escape
		ago century current_date current_localtime current_localtimestamp date_add date_diff date_part date_sub date_trunc datediff datepart
		datesub datetrunc day dayname dayofmonth dayofweek dayofyear days_in_month decade epoch epoch_ms epoch_ns epoch_us era
		get_current_time get_current_timestamp hour isodow isoyear julian last_day make_date make_time make_timestamp make_timestamp_ms
		make_timestamp_ns make_timestamptz microsecond millennium millisecond minute month monthname nanosecond now quarter second strftime
		strptime time_bucket timezone to_centuries to_days to_decades to_hours to_microseconds to_millennia to_milliseconds to_minutes to_months
		to_quarters to_seconds to_timestamp to_weeks to_years today transaction_timestamp try_strptime week weekday weekofyear year yearweek
		array_contains array_distinct array_extract array_filter array_has array_has_all array_has_any array_indexof array_intersect array_length
		array_position array_reverse array_reverse_sort array_slice array_sort array_to_string array_unique cardinality element_at filter
		generate_subscripts list_any_value list_avg list_contains list_count list_distinct list_element list_extract list_filter list_first
		list_has list_has_all list_has_any list_indexof list_intersect list_last list_max list_median list_min list_mode list_position list_reverse
		list_reverse_sort list_slice list_sort list_sum list_unique list_value map map_contains map_contains_entry map_contains_value map_entries
		map_extract map_extract_value map_keys map_values row struct_extract struct_pack unnest typeof
		json_array_length json_contains json_exists json_extract json_extract_path json_extract_path_text json_extract_string json_keys json_type
		json_valid json_value to_json
		any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null arg_min arg_min_null argmax argmin array_agg avg
		bit_and bit_or bit_xor bool_and bool_or corr count count_if count_star countif covar_pop covar_samp cume_dist dense_rank entropy favg
		first first_value fsum geomean geometric_mean group_concat histogram kahan_sum kurtosis kurtosis_pop lag last last_value lead list listagg
		mad max max_by mean median min min_by mode nth_value ntile percent_rank product quantile quantile_cont quantile_disc rank rank_dense
		regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy reservoir_quantile row_number sem skewness
		stddev stddev_pop stddev_samp string_agg sum sum_no_overflow sumkahan var_pop var_samp variance wavg weighted_avg`)

	// sqlSources stand where a table does.
	sqlSources = words(`unnest range generate_series`)

	// growing functions return more than they are given: the sum of their arguments.
	growing = words(`|| concat concat_ws list_value struct_pack row map`)
	// replacing ones put their third argument, a literal, wherever the second is found.
	replacing = words(`replace regexp_replace`)
	// collecting ones return one value of many rows.
	collecting = words(`array_agg group_concat histogram list listagg string_agg array_to_string`)
)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}
