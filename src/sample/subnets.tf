resource "terraform_data" "subnet" {
  for_each = {
    public  = "10.0.1.0/24"
    private = "10.0.2.0/24"
  }

  input = {
    network = terraform_data.network.output.name
    range   = each.value
  }
}
