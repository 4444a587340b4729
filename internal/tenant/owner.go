package tenant

// Owner names the caller as the owner of what it makes: the user, else the key, else how the caller came.
func (i *Identity) Owner() string {
	switch {
	case i.User != "":
		return string(i.User)
	case i.Key != "" && i.Key != MasterKey:
		return "key:" + string(i.Key)
	}
	return string(i.Means)
}
